-- Calls in progress in this worker process, for each key and each origin.

local M = {}
local counts = {}

-- Count a call for two names, or return the one that has reached its limit and count nothing.
function M.enter(first, most_of_first, second, most_of_second)
  local one, two = counts[first] or 0, counts[second] or 0
  if one >= most_of_first then return first end
  if two >= most_of_second then return second end
  counts[first], counts[second] = one + 1, two + 1
end

function M.leave(first, second)
  for _, name in ipairs { first, second } do
    local count = (counts[name] or 1) - 1
    counts[name] = count > 0 and count or nil
  end
end

return M
