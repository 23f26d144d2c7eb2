-- Of several who would do something, one does it, until it is not heard of.
-- KEYS: who does
-- ARGV: a name, milliseconds after which another may
-- Returns 1 if it is that one, else 0.
local leader = redis.call('GET', KEYS[1])
if leader and leader ~= ARGV[1] then
    return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
