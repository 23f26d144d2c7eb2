"""The job store: records, results and queues in a server that speaks Redis's protocol."""
