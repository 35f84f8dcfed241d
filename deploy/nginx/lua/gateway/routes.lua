-- Routes: what the console says about the calls of one key and person to one connection.
--
-- A route is kept for at most a second, encrypted in shared memory, and as a Lua table in the
-- worker that uses it. `false` means that such calls go to the Python path.

local cjson = require "cjson.safe"
local console = require "gateway.console"
local messages = require "gateway.sealed_messages"
local rules = require "gateway.rules"
local settings = require "gateway.settings"

local shared = ngx.shared.gateway_routes
local PATH = "/internal/route"
local MAX_SECONDS = 1
local WAIT_SECONDS, STEP = 5, 0.002

local M = {}
-- Two generations, so that what has expired is let go without counting.
local young, old, since = {}, {}, 0

local function remember(id, entry)
  local now = ngx.now()
  if now - since > MAX_SECONDS then
    young, old, since = {}, young, now
  end
  young[id] = entry
  return entry
end

local function recall(id)
  local entry = young[id] or old[id]
  if entry and entry.expires > ngx.now() and rules.get(entry.rules_version) then return entry end
end

local function read_shared(id)
  local sealed = shared:get(id)
  local text = sealed and messages.open(settings.memory_key, id, sealed)
  local entry = text and cjson.decode(text)
  if entry and entry.expires > ngx.now() and rules.get(entry.rules_version) then
    return remember(id, entry)
  end
end

local function ask(id, key, user, connection)
  ngx.update_time()
  local asked_at = ngx.now()
  local answer = console.ask(PATH, {
    key = key, user = user, connection = connection, rules_version = rules.version(),
  })
  if type(answer) ~= "table" then return nil end
  if answer.rules then rules.store(answer.rules) end
  local route = type(answer.route) == "table" and answer.route or false
  local seconds = route and math.min(MAX_SECONDS, tonumber(route.valid_seconds) or 0)
    or MAX_SECONDS
  local entry = { route = route, rules_version = answer.rules_version, expires = asked_at + seconds }
  if seconds > 0 then
    local text = cjson.encode(entry)
    shared:set(id, messages.seal(settings.memory_key, id, text), seconds)
  end
  return remember(id, entry)
end

-- Return the identifier of a route; the key cannot be found from it.
function M.id(key, user, connection)
  return messages.hmac(settings.memory_key, #key .. ":" .. key .. #user .. ":" .. user .. connection)
end

-- Return the route, or `false`, and the rules; nil if the console does not say.
function M.get(id, key, user, connection)
  local entry = recall(id) or read_shared(id)
  if not entry then
    local lock = "lock " .. id
    local deadline = ngx.now() + WAIT_SECONDS
    while not entry and not shared:add(lock, true, WAIT_SECONDS) do
      ngx.sleep(STEP)
      entry = read_shared(id)
      if ngx.now() > deadline then return nil end
    end
    if not entry then
      entry = read_shared(id) or ask(id, key, user, connection)
      shared:delete(lock)
    end
  end
  if not entry then return nil end
  return entry.route, rules.get(entry.rules_version)
end

-- Ask the console again for the next call.
function M.forget(id)
  shared:delete(id)
  young[id], old[id] = nil, nil
end

return M
