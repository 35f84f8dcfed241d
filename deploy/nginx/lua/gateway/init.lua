-- The nginx path: calls that nginx makes itself, phase by phase. docs/guides/nginx.md explains it.

local balancer = require "ngx.balancer"
local call_log = require "gateway.call_log"
local limits = require "gateway.limits"
local messages = require "gateway.sealed_messages"
local problems = require "gateway.problems"
local request_headers = require "gateway.request_headers"
local response_headers = require "gateway.response_headers"
local routes = require "gateway.routes"
local slots = require "gateway.slots"
local urls = require "gateway.urls"

local PYTHON = "@python"
-- Bodies up to client_body_buffer_size in server.conf stay in memory, and can be sent again.
local MAX_BODY = 64 * 1024
-- No HEAD: some services send a body all the same, and nginx would use the connection again.
local METHODS = { GET = true, POST = true, PUT = true, PATCH = true, DELETE = true,
                  OPTIONS = true }
-- Timers of nginx may end this much early (NGX_TIMER_LAZY_DELAY, and some for the clock).
local EARLY_SECONDS = 0.35
local HAS_BODY = { POST = true, PUT = true, PATCH = true }

local M = {}
-- Calls that the Python path may have to repeat: nginx empties ngx.ctx on the way there.
local repeatable = {}
local last_number, last_request = 0, 0
local worker_id = messages.random(12):gsub(".", function(character)
  return string.format("%02x", character:byte())
end)

-- End what a call holds: its place in the limits, and in its slot.
local function release(call)
  if call.is_released then return end
  call.is_released = true
  limits.leave(call.key_limit, call.origin_limit)
  if call.slot then slots.leave(call.slot) end
end

local function content_length(read)
  local length = read["content-length"]
  if not length then return 0 end
  return length:find("^%d+$") and tonumber(length) or math.huge
end

-- Return a name for the request in headers, which is unique and cheaper than $request_id.
local function new_request_id()
  last_request = last_request + 1
  return string.format("%s%08x", worker_id, last_request % 0x100000000)
end

-- Return a call if the request is plain and there is a route for it.
local function plain_call()
  local method = ngx.req.get_method()
  local target = ngx.var.request_uri
  if not METHODS[method] then return nil end
  local connection, path, query = urls.parts_of(target)
  if not connection then return nil end
  local headers = ngx.req.get_headers(0, true)
  request_headers.drop_options(headers)
  local key, user, read = request_headers.plain(headers)
  if not key then return nil end
  if HAS_BODY[method] and not read["content-length"] then return nil end
  local length = content_length(read)
  if length > MAX_BODY then return nil end
  local route, rules = routes.get(key, user, connection)
  if not route or not rules then return nil end
  if (read["cdn-loop"] or ""):find(rules.loop_token, 1, true) then return nil end
  local full_query = query or ""
  if route.query ~= "" then
    if full_query ~= "" and urls.may_hold(full_query, route.parameters) then return nil end
    full_query = full_query .. (full_query ~= "" and "&" or "") .. route.query
  end
  local requested = route.base .. path .. (full_query ~= "" and "?" .. full_query or "")
  if #requested > rules.max_target_length then return nil end
  return {
    key = key, user = user, connection = connection, route = route, rules = rules, method = method, headers = headers, read = read, path = path,
    requested = requested, request_id = new_request_id(), bytes_in = length, received = 0, flushes = 0,
    key_limit = "key " .. route.key, origin_limit = route.scheme .. "://" .. route.authority,
  }
end

local function refuse(call, slug)
  call.problem, call.status, call.is_released = slug, call.rules.problems[slug].status, true
  ngx.ctx.call = call
  return problems.answer(slug, call)
end

-- Write a line to nginx's error log without the request, whose URL may hold secrets.
local function report(message)
  ngx.timer.at(0, function() ngx.log(ngx.ERR, message) end)
end

-- Access phase: make the call from here, or pass the request to the Python path.
function M.access()
  local ok, call = pcall(plain_call)
  if not ok then
    report(call)
    call = nil
  end
  if not call then return ngx.exec(PYTHON) end
  local route, rules = call.route, call.rules
  local reached = limits.enter(
    call.key_limit, rules.at_once_per_key, call.origin_limit, rules.at_once)
  if reached then
    return refuse(call, reached == call.key_limit and "console-busy" or "service-busy")
  end
  local slot = slots.enter(route.pool)
  if not slot then
    limits.leave(call.key_limit, call.origin_limit)
    return ngx.exec(PYTHON)
  end
  call.slot = slot
  call.undo, call.dropped = request_headers.set(call.headers, call.read, route, rules)
  last_number = last_number + 1
  call.number = tostring(last_number)
  repeatable[call.number] = call
  ngx.ctx.call = call
  local var = ngx.var
  var.gateway_call = call.number
  var.gateway_authority = route.authority
  var.gateway_tls_name = route.host
  local target = call.requested:sub(#route.scheme + 4 + #route.authority)
  if target:sub(1, 1) ~= "/" then target = "/" .. target end
  var.gateway_target = route.scheme .. "://" .. slot.name .. target
end

-- Access phase of the Python path: undo what was done to the request, if it comes from here.
function M.repeat_call()
  local number = ngx.var.gateway_call
  local call = repeatable[number]
  if not call then return end
  repeatable[number] = nil
  ngx.var.gateway_call = ""
  request_headers.restore(call.undo)
  release(call)
  routes.forget(call.key, call.user, call.connection)
end

-- Balancer phase: connect to the addresses that the console has validated, one after another.
function M.balance()
  local call = ngx.ctx.call
  local addresses = call.route.addresses
  if not call.attempt then
    call.attempt = 1
    if #addresses > 1 then balancer.set_more_tries(#addresses - 1) end
  elseif (ngx.var.upstream_connect_time or ""):sub(-1) == "-" then
    call.attempt = math.min(call.attempt + 1, #addresses) -- it did not connect
  end
  local address = addresses[call.attempt]
  balancer.set_timeouts(call.rules.connect_seconds, call.rules.seconds, call.rules.seconds)
  local ok, problem = balancer.set_current_peer(address[1], address[2])
  if not ok then error(problem) end
end

-- Return the problem if nginx answers because the service has not.
local function problem_of_nginx()
  if ngx.status < 500 then return nil end
  local last = (ngx.var.upstream_header_time or "-"):match("[^,%s]+$")
  if last and last ~= "-" then return nil end
  if ngx.status == 504 then return "service-timeout" end
  if ngx.status == 502 then
    local bytes = (ngx.var.upstream_bytes_received or "0"):match("%d+$")
    return tonumber(bytes or 0) > 0 and "answer-unintelligible" or "service-unreachable"
  end
  return "internal-error"
end

-- Return the problem of a response that is too long, or that has two lengths: nginx 1.22 takes
-- the last one.
local function problem_of_length(call)
  local length = ngx.header["Content-Length"]
  if not length then return nil end
  local first = ngx.var.upstream_http_content_length
  if first and tonumber(first) ~= tonumber(length) then return "answer-unintelligible" end
  if tonumber(length) > call.rules.max_bytes and call.method ~= "HEAD" then
    return "answer-too-large"
  end
end

-- Tell whether a response goes on for as long as somebody listens.
local function is_event_stream(call)
  local media_type = (ngx.header["Content-Type"] or ""):match("^[^;]*"):gsub("%s", ""):lower()
  for _, each in ipairs(call.rules.event_stream_types) do
    if each == media_type then return true end
  end
  return false
end

function M.header_filter()
  local call = ngx.ctx.call
  if not call or call.problem then return end
  call.status, call.began = ngx.status, ngx.now()
  call.arrived = call.began
  call.problem = problem_of_nginx()
  if call.problem then
    call.body = problems.replace(call.problem, call)
    call.status = ngx.status
    return
  end
  -- nginx 1.22 takes an informational response for the answer, and what is not HTTP for one
  -- without a head: break off.
  if call.status < 200 or ngx.req.http_version() < 1 then
    call.problem, call.status = "answer-unintelligible", 502
    return ngx.exit(ngx.ERROR)
  end
  call.problem = problem_of_length(call)
  if call.problem then
    call.body = problems.replace(call.problem, call)
    call.status = ngx.status
    return
  end
  call.lasts = is_event_stream(call) and call.rules.stream_seconds or call.rules.seconds
  response_headers.filter(call)
end

function M.body_filter()
  local call = ngx.ctx.call
  if not call then return end
  local arguments = ngx.arg
  if call.body then
    arguments[1], arguments[2] = call.body, true
    call.body, call.is_complete = "", true
    return
  end
  local size, rules = #arguments[1], call.rules
  if arguments[2] then call.is_complete = true end
  if size == 0 then
    call.flushes = call.flushes + 1
    return
  end
  call.received, call.flushes = call.received + size, 0
  if call.problem then return end
  if call.received > rules.max_bytes then
    call.problem = "answer-too-large"
    return ngx.ERROR
  end
  local seconds = call.lasts + call.received / rules.bytes_a_second
  call.arrived = ngx.now()
  if call.arrived - call.began > seconds then
    call.problem = "service-timeout"
    return ngx.ERROR
  end
end

-- Return why a response was not complete: nginx flushes what it has when the service breaks off.
local function reason(call)
  if call.problem then return call.problem end
  if call.is_complete then return "" end
  if call.status and (call.flushes > 1 or call.flushes == 1 and call.received > 0) then
    local is_late = ngx.now() - call.arrived > call.rules.seconds - EARLY_SECONDS
    return is_late and "service-timeout" or "service-unreachable"
  end
  return "caller-gone"
end

-- Log phase: add a line to the log of calls.
function M.log()
  local call = ngx.ctx.call
  if not call then return end
  repeatable[call.number or ""] = nil
  release(call)
  -- The order is that of console/gateway/call_lines.py.
  call_log.add(call.route.log, {
    call.method, call.path:sub(1, 500), call.status or 0, reason(call),
    math.floor((ngx.now() - ngx.req.start_time()) * 1000 + 0.5), call.bytes_in, call.received,
  })
end

function M.start_worker()
  call_log.start()
  slots.start()
end

return M
