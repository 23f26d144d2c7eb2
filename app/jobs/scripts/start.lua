-- A worker begins a chunk.
-- KEYS: job, results, tries, events, running
-- ARGV: id, first item, item after the last, the chunk's name
-- Returns nothing if there is nothing to do, else the numbers of the items without a result, each followed by
-- how often it was begun.
local job, results, tries, events, running = unpack(KEYS)
local id = ARGV[1]
local status = redis.call('HGET', job, 'status')
if not status or not active(status) then
    return false
end
local at = now()
if status == 'validating' then
    move('in_progress', job, events, id, at)
end
local left = {}
for number = tonumber(ARGV[2]), tonumber(ARGV[3]) - 1 do
    if redis.call('HEXISTS', results, number) == 0 then
        local tried = redis.call('HGET', tries, number)
        table.insert(left, number)
        table.insert(left, tried and tonumber(string.match(tried, '^%d+')) or 0)
    end
end
if #left == 0 then
    return false
end
redis.call('ZADD', running, at, ARGV[4])
return left
