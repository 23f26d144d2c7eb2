-- What a unit of work cost this time is taken in.
-- KEYS: costs
-- ARGV: kind of work, seconds, weight of the newest measurement
local before, measured, weight = redis.call('HGET', KEYS[1], ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local smoothed = before and (1 - weight) * tonumber(before) + weight * measured or measured
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.6g', smoothed))
return 0
