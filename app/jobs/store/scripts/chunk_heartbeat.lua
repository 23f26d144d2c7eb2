-- Heartbeat of chunks under way.
-- KEYS: job, running
-- ARGV: the chunks' names
-- Returns the job's status, or nothing if there is none.
local job, running = unpack(KEYS)
local status = redis.call('HGET', job, 'status')
if status == 'in_progress' or status == 'cancelling' then
    local at = now()
    for _, chunk in ipairs(ARGV) do
        redis.call('ZADD', running, 'XX', at, chunk)
    end
end
return status
