-- Cancels a job: from now on no result is taken.
-- KEYS: job, events
-- ARGV: id
-- Returns its status, or nothing if there is none.
local job, events = unpack(KEYS)
local status = redis.call('HGET', job, 'status')
if status and active(status) then
    set_status('cancelling', job, events, ARGV[1], now())
    return 'cancelling'
end
return status
