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
-- How long the console is not asked again after it has not answered.
local SILENT_SECONDS = 0.5

local M = {}
-- By what identifies the caller; two generations, so that what has expired is let go.
local young, old, since = {}, {}, 0

local function remember(caller, entry)
  local now = ngx.now()
  if now - since > MAX_SECONDS then
    young, old, since = {}, young, now
  end
  if entry.route then
    local names = {}
    for name in pairs(entry.route.signature) do names[name:lower()] = true end
    entry.route.signature_names = names
  end
  young[caller] = entry
  return entry
end

local function is_valid(entry)
  return entry and entry.expires > ngx.now()
    and (not entry.route or rules.get(entry.rules_version) ~= nil)
end

-- Return the name of a route in shared memory, from which no key can be found.
local function name_of(caller) return messages.hmac(settings.memory_key, caller) end

local function read_shared(id, caller)
  local sealed = shared:get(id)
  local text = sealed and messages.open(settings.memory_key, id, sealed)
  local entry = text and cjson.decode(text)
  if is_valid(entry) then return remember(caller, entry) end
end

local function ask(id, caller, key, user, connection)
  ngx.update_time()
  local asked_at = ngx.now()
  local answer = console.ask(PATH, {
    key = key, user = user, connection = connection, rules_version = rules.version(),
  })
  if type(answer) ~= "table" then
    return remember(caller, { route = false, expires = ngx.now() + SILENT_SECONDS })
  end
  if answer.rules then rules.store(answer.rules) end
  local route = type(answer.route) == "table" and answer.route or false
  local seconds = route and math.min(MAX_SECONDS, tonumber(route.valid_seconds) or 0)
    or MAX_SECONDS
  local entry = { route = route, rules_version = answer.rules_version, expires = asked_at + seconds }
  if seconds > 0 then
    local text = cjson.encode(entry)
    shared:set(id, messages.seal(settings.memory_key, id, text), seconds)
  end
  return remember(caller, entry)
end

-- Return the route and the rules, or `false` for the Python path.
function M.get(key, user, connection)
  local caller = key .. " " .. user .. " " .. connection -- neither has a space
  local entry = young[caller] or old[caller]
  if not is_valid(entry) then
    local id = name_of(caller)
    local lock, deadline = "lock " .. id, ngx.now() + WAIT_SECONDS
    entry = read_shared(id, caller)
    while not entry and not shared:add(lock, true, WAIT_SECONDS) do
      ngx.sleep(STEP)
      if ngx.now() > deadline then return false end
      entry = read_shared(id, caller)
    end
    if not entry then
      entry = read_shared(id, caller) or ask(id, caller, key, user, connection)
      shared:delete(lock)
    end
  end
  return entry.route, entry.route and rules.get(entry.rules_version)
end

-- Ask the console again for the next call.
function M.forget(key, user, connection)
  local caller = key .. " " .. user .. " " .. connection
  shared:delete(name_of(caller))
  young[caller], old[caller] = nil, nil
end

return M
