-- Makes a job of items that are written already.
-- KEYS: job, items, results, events, all, open, idempotency, and the index of batches if it is one
-- ARGV: id, digest of the request or '', seconds that the idempotency key is kept, seconds until the job
--       expires, then name and value of each field of the record
-- Returns '' if the job was made, else 'id digest' of the job made before under the idempotency key.
local job, items, results, events, all, open, idempotency = unpack(KEYS)
local id, digest = ARGV[1], ARGV[2]
if digest ~= '' then
    local before = redis.call('GET', idempotency)
    if before and redis.call('EXISTS', string.gsub(job, id, string.match(before, '^%S+'), 1)) == 1 then
        return before
    end
    redis.call('SET', idempotency, id .. ' ' .. digest, 'EX', ARGV[3])
end
local at = now()
for i = 5, #ARGV, 2 do
    redis.call('HSET', job, ARGV[i], ARGV[i + 1])
end
redis.call('HSET', job, 'id', id, 'completed', 0, 'created_at', stamp(at), 'expires_at', stamp(at + ARGV[4]))
redis.call('PERSIST', items)
redis.call('PERSIST', results)
redis.call('ZADD', all, 0, id)
if KEYS[8] then
    redis.call('ZADD', KEYS[8], 0, id)
end
redis.call('SADD', open, id)
set_status('validating', job, events, id, at)
return ''
