-- Uncounts tries that ended through no fault of their items.
-- KEYS: tries
-- ARGV: number and token, of each try
for i = 1, #ARGV, 2 do
    local before = redis.call('HGET', KEYS[1], ARGV[i])
    local count, token = string.match(before or '0 ', '^(%d+) (.*)$')
    if token == ARGV[i + 1] then
        redis.call('HSET', KEYS[1], ARGV[i], string.format('%d ', count - 1))
    end
end
return 0
