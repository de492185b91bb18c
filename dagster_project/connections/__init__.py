"""One request to a system outside: signed in, timed, paced, sent again as far as that is safe, its failure in one sentence."""
