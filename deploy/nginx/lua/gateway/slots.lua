-- Which pool of connections a call uses.
--
-- nginx keeps idle connections for each `upstream` and compares only their network addresses. So
-- each of the upstreams in slots.conf belongs to one owner (a credential at one place) alone.
-- It gets another owner only when nothing of the last one can be left in it: all workers say at
-- least every few seconds that they use a slot, and its idle connections end after IDLE_SECONDS.

local shared = ngx.shared.gateway_slots
local COUNT = 512
local IDLE_SECONDS = 30 -- keepalive_timeout in slots.conf
local CONFIRM_SECONDS, TELL_SECONDS = 1, 5
local FREE_AFTER_SECONDS = IDLE_SECONDS + 3 * TELL_SECONDS
local LOCK_SECONDS = 1

local M = {}
-- What this worker uses, by owner.
local own = {}

local function tell(slot)
  shared:set("used " .. slot, ngx.now())
end

-- Say that the slot is used, and then look whether it still belongs to the owner. `take_over`
-- goes the other way round, so that one of the two notices the other.
local function confirm(slot, owner)
  tell(slot)
  return shared:get("owner " .. slot) == owner
end

local function is_used(slot)
  return (shared:get("used " .. slot) or 0) > ngx.now() - FREE_AFTER_SECONDS
end

local function take_over(slot, owner)
  local former = shared:get("owner " .. slot)
  if former then
    if is_used(slot) then return false end
    shared:set("owner " .. slot, "")
    if is_used(slot) then
      shared:set("owner " .. slot, former)
      return false
    end
    shared:delete("slot " .. former)
  end
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
  local first = shared:get("next") or 0
  for step = 0, COUNT - 1 do
    if found then break end
    local slot = (first + step) % COUNT
    if take_over(slot, owner) then
      found = slot
      shared:set("next", (slot + 1) % COUNT)
    end
  end
  shared:delete("lock")
  return found
end

local function confirmed_use(owner)
  local slot = shared:get("slot " .. owner)
  if not (slot and confirm(slot, owner)) then
    slot = allocate(owner)
    if not (slot and confirm(slot, owner)) then return nil end
  end
  local use = own[owner]
  if not use or use.slot ~= slot then
    use = { slot = slot, name = string.format("%03d.slot", slot), calls = 0 }
    own[owner] = use
  end
  use.confirmed = ngx.now()
  return use
end

-- Return the use of a slot, whose `name` is that of its upstream; nil if all are taken. Each
-- call must leave it.
function M.enter(owner)
  local use = own[owner]
  if not use or ngx.now() - use.confirmed > CONFIRM_SECONDS then
    use = confirmed_use(owner)
    if not use then return nil end
  end
  use.calls = use.calls + 1
  return use
end

function M.leave(use)
  use.calls = use.calls - 1
  if ngx.now() - use.confirmed > CONFIRM_SECONDS then tell(use.slot) end
end

-- Say which slots still have calls, and forget those without.
local function tell_all()
  for owner, use in pairs(own) do
    if use.calls > 0 then
      tell(use.slot)
    elseif ngx.now() - use.confirmed > CONFIRM_SECONDS then
      own[owner] = nil
    end
  end
end

function M.start() ngx.timer.every(TELL_SECONDS, tell_all) end

return M
