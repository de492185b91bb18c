"""Changes of sizes in AWS."""
