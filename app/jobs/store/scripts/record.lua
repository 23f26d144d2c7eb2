-- Writes the result of an item, once.
-- KEYS: job, results, tries, events
-- ARGV: id, number, line, 'completed' or 'failed', seconds over which the rate is smoothed, least seconds
--       between two progress events
-- Returns 1 if it was written, 0 if there was one already or the job takes no more.
local job, results, tries, events = unpack(KEYS)
local id, number, smoothing = ARGV[1], ARGV[2], tonumber(ARGV[5])
local status = redis.call('HGET', job, 'status')
if not status or not active(status) or redis.call('HSETNX', results, number, ARGV[3]) == 0 then
    return 0
end
redis.call('HDEL', tries, number)
redis.call('HINCRBY', job, ARGV[4], 1)
local at = now()
local record = redis.call('HMGET', job, 'total', 'completed', 'failed', 'rate', 'rate_at', 'told_at')
local rate, rate_at = tonumber(record[4] or 0), tonumber(record[5] or at)
rate = rate * math.exp(-math.max(0, at - rate_at) / smoothing) + 1 / smoothing
redis.call('HSET', job, 'rate', string.format('%.9g', rate), 'rate_at', stamp(at))
if tonumber(record[2]) + tonumber(record[3]) >= tonumber(record[1]) then
    add_event('progress', job, events, id, at)
    set_status('finalizing', job, events, id, at)
elseif at - tonumber(record[6] or 0) >= tonumber(ARGV[6]) then
    add_event('progress', job, events, id, at)
end
return 1
