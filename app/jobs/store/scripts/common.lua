-- Functions of all scripts. The server's clock is the only one: hosts may differ.
local MAX_EVENTS = 2000

local function now()
    local time = redis.call('TIME')
    return tonumber(time[1]) + tonumber(time[2]) / 1e6
end

local function stamp(seconds)
    return string.format('%.3f', seconds)
end

local function add_event(kind, job, events, id, at)
    local record = redis.call('HMGET', job, 'status', 'total', 'completed', 'failed')
    redis.call('XADD', events, 'MAXLEN', '~', MAX_EVENTS, '*', 'kind', kind, 'id', id, 'status', record[1],
        'total', record[2], 'completed', record[3], 'failed', record[4], 'at', stamp(at))
    redis.call('HSET', job, 'told_at', stamp(at))
end

local function set_status(status, job, events, id, at)
    redis.call('HSET', job, 'status', status, status .. '_at', stamp(at))
    add_event('status', job, events, id, at)
end

local function active(status)
    return status == 'validating' or status == 'in_progress'
end
