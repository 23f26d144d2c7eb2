-- Elects one of several processes; another may follow once it has not renewed its election in time.
-- KEYS: name of the elected
-- ARGV: name of the caller, milliseconds until the election expires
-- Returns 1 if the caller is elected, else 0.
local leader = redis.call('GET', KEYS[1])
if leader and leader ~= ARGV[1] then
    return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
