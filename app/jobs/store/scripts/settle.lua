-- Ends a chunk, if one is named, and does what is due: an expired job expires, a cancelled one ends when its chunks
-- have stopped, one with all its results is completed.
-- KEYS: job, items, results, tries, events, running, lost, open
-- ARGV: id, seconds without a heartbeat after which a chunk has stopped, seconds that an ended job is kept,
--       the chunk or ''
-- Returns the status, or nothing if there is no such job.
local job, items, results, tries, events, running, lost, open = unpack(KEYS)
local id = ARGV[1]
local record = redis.call('HMGET', job, 'status', 'expires_at')
local status = record[1]
if not status then
    redis.call('SREM', open, id)
    return false
end
local at = now()
redis.call('ZREM', running, ARGV[4])
if active(status) and at >= tonumber(record[2]) then
    set_status('expired', job, events, id, at)
    status = 'expired'
elseif status == 'cancelling' then
    redis.call('ZREMRANGEBYSCORE', running, '-inf', at - tonumber(ARGV[2]))
    if redis.call('ZCARD', running) == 0 then
        set_status('cancelled', job, events, id, at)
        status = 'cancelled'
    end
elseif status == 'finalizing' then
    redis.call('UNLINK', items)
    set_status('completed', job, events, id, at)
    status = 'completed'
end
if status == 'completed' or status == 'failed' or status == 'cancelled' or status == 'expired' then
    redis.call('UNLINK', tries, running, lost)
    for _, key in ipairs({job, items, results, events}) do
        redis.call('EXPIRE', key, ARGV[3])
    end
    redis.call('SREM', open, id)
end
return status
