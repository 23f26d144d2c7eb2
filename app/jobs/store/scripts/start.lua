-- Begins a chunk.
-- KEYS: job, items, results, tries, events, running, lost
-- ARGV: id, first item, item after the last, the chunk's name
-- Returns nothing if there is nothing to do, else the number of workers lost with items that ran beside others, then
-- number, tries so far, and text or nothing of each item without a result.
local job, items, results, tries, events, running, lost = unpack(KEYS)
local id = ARGV[1]
local status = redis.call('HGET', job, 'status')
if not status or not active(status) then
    return false
end
local at = now()
if status == 'validating' then
    set_status('in_progress', job, events, id, at)
end
local left = {0}
for number = tonumber(ARGV[2]), tonumber(ARGV[3]) - 1 do
    if redis.call('HEXISTS', results, number) == 0 then
        local count, worker = string.match(redis.call('HGET', tries, number) or '0 ', '^(%d+) ([^ ]*)')
        table.insert(left, number)
        table.insert(left, tonumber(count))
        table.insert(left, redis.call('HGET', items, number))
        if count == '1' and worker ~= '' then
            redis.call('SADD', lost, worker)
        end
    end
end
if #left == 1 then
    return false
end
left[1] = redis.call('SCARD', lost)
redis.call('ZADD', running, at, ARGV[4])
return left
