-- Fails a job as a whole.
-- KEYS: job, events
-- ARGV: id, why
local job, events = unpack(KEYS)
local status = redis.call('HGET', job, 'status')
if status and active(status) then
    redis.call('HSET', job, 'error', ARGV[2])
    set_status('failed', job, events, ARGV[1], now())
end
return 0
