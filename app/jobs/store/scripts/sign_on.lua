-- A worker lives.
-- KEYS: workers
-- ARGV: name, how it tells of itself
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 0
