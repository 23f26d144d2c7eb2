-- Counts a try of an item before its work begins, so that a try that kills the worker counts.
-- KEYS: job, results, tries
-- ARGV: number, token of this try: worker and a name of its own (the same again if the reply was lost)
-- Returns the number of tries, this one included; 0 if the item has a result; -1 if the job takes no more.
local job, results, tries = unpack(KEYS)
local status = redis.call('HGET', job, 'status')
if not status or not active(status) then
    return -1
end
if redis.call('HEXISTS', results, ARGV[1]) == 1 then
    return 0
end
local before = redis.call('HGET', tries, ARGV[1]) or '0 '
local count, token = string.match(before, '^(%d+) (.*)$')
if token ~= ARGV[2] then
    count = count + 1
    redis.call('HSET', tries, ARGV[1], string.format('%d %s', count, ARGV[2]))
end
return tonumber(count)
