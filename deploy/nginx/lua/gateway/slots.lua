-- Which pool of connections a call uses.
--
-- nginx keeps idle connections for each `upstream` and compares only their network addresses. So
-- each of the upstreams in slots.conf belongs to one owner (a credential at one place) alone.
-- It gets another owner only when nothing of the last one can be left in it: no call, and no
-- connection that has been idle for less than keepalive_timeout.

local shared = ngx.shared.gateway_slots
local IDLE_SECONDS = 30 -- keepalive_timeout in slots.conf
local MARGIN_SECONDS = 5
local LOCK_SECONDS = 1

local M = { count = 512 }

local function name(slot) return string.format("%03d.slot", slot) end

-- Count one more call in a slot if it belongs to the owner. The order matters: `take_over`
-- first takes the owner away and then looks for calls.
local function enter(slot, owner)
  shared:incr("calls " .. slot, 1, 0)
  if shared:get("owner " .. slot) == owner then return true end
  shared:incr("calls " .. slot, -1)
  return false
end

local function take_over(slot, owner)
  local former = shared:get("owner " .. slot)
  if former then
    if (shared:get("used " .. slot) or 0) > ngx.now() - IDLE_SECONDS - MARGIN_SECONDS then
      return false
    end
    shared:set("owner " .. slot, "")
    if (shared:get("calls " .. slot) or 0) > 0 then
      shared:set("owner " .. slot, former)
      return false
    end
    shared:delete("slot " .. former)
  end
  shared:set("used " .. slot, ngx.now())
  shared:set("owner " .. slot, owner)
  shared:set("slot " .. owner, slot)
  return true
end

local function allocate(owner)
  local deadline = ngx.now() + LOCK_SECONDS
  while not shared:add("lock", true, LOCK_SECONDS) do
    ngx.sleep(0.001)
    if ngx.now() > deadline then return nil end
  end
  ngx.update_time()
  local found = shared:get("slot " .. owner)
  local next_place = shared:get("next") or 0
  for step = 0, M.count - 1 do
    if found then break end
    local slot = (next_place + step) % M.count
    if take_over(slot, owner) then
      found = slot
      shared:set("next", (slot + 1) % M.count)
    end
  end
  shared:delete("lock")
  return found
end

-- Return a slot and the name of its upstream, or nil if all are taken. Each call must leave it.
function M.enter(owner)
  local slot = shared:get("slot " .. owner)
  if slot and enter(slot, owner) then return slot, name(slot) end
  slot = allocate(owner)
  if slot and enter(slot, owner) then return slot, name(slot) end
end

function M.leave(slot)
  shared:set("used " .. slot, ngx.now())
  shared:incr("calls " .. slot, -1)
end

return M
