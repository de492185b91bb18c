"""Pull requests and issues on GitHub."""
