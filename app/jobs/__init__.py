"""Jobs: thousands of requests in a queue, worked off by any number of workers."""
