-- The console's rules for all calls (console/gateway/call_rules.py), in the form that calls need.

local cjson = require "cjson.safe"

local shared = ngx.shared.gateway_rules
local M = {}
local current

-- Return a function that tells whether a lower-case name matches one of the patterns, in which
-- an asterisk may be the first or the last character.
local function matcher(patterns)
  local whole, starts, ends = {}, {}, {}
  for _, pattern in ipairs(patterns) do
    if pattern:sub(-1) == "*" then
      starts[#starts + 1] = pattern:sub(1, -2)
    elseif pattern:sub(1, 1) == "*" then
      ends[#ends + 1] = pattern:sub(2)
    else
      whole[pattern] = true
    end
  end
  return function(name)
    if whole[name] then return true end
    for _, start in ipairs(starts) do
      if name:sub(1, #start) == start then return true end
    end
    for _, ending in ipairs(ends) do
      if name:sub(-#ending) == ending then return true end
    end
    return false
  end
end

-- Return a function from a header's name to what happens with it and the name in lower case; it
-- remembers the results.
local function handling_of(checks)
  local known, lower_names, count = {}, {}, 0
  return function(name)
    local handling = known[name]
    if handling then return handling, lower_names[name] end
    local lower = name:lower()
    handling = "passed"
    for _, check in ipairs(checks) do
      if check.matches(lower) then
        handling = check.handling
        break
      end
    end
    if count < 1000 then
      known[name], lower_names[name], count = handling, lower, count + 1
    end
    return handling, lower
  end
end

local function prepared(rules)
  local request, response = rules.request, rules.response
  rules.request_handling = handling_of {
    { handling = "replaced", matches = matcher(request.replaced) },
    { handling = "dropped", matches = matcher(request.dropped) },
  }
  rules.response_handling = handling_of {
    { handling = "replaced", matches = matcher(response.replaced) },
    { handling = "url", matches = matcher(response.urls) },
    { handling = "link", matches = matcher(response.links) },
    { handling = "dropped", matches = matcher(response.dropped) },
  }
  return rules
end

-- Return the rules of this version, or nil if they are not known.
function M.get(version)
  if current and current.version == version then return current end
  local text = shared:get(version)
  if not text then return nil end
  current = prepared(cjson.decode(text))
  return current
end

function M.version()
  return shared:get("version") or ""
end

function M.store(rules)
  shared:set(rules.version, cjson.encode(rules))
  shared:set("version", rules.version)
end

return M
