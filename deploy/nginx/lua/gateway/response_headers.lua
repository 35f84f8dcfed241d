-- The headers of a response for the program, as in connections/calls/proxy_response.py.

local urls = require "gateway.urls"

local M = {}

local VALUE = "^[\t\32-\126\128-\255]*$"

local function finds(needles, text)
  for _, needle in ipairs(needles) do
    if text:find(needle, 1, true) then return true end
  end
  return false
end

local function values_of(value)
  return type(value) == "table" and value or { value }
end

-- Return the names that the service listed in Connection.
local function connection_options()
  local listed = ngx.var.upstream_http_connection
  if not listed or listed == "" then return nil end
  listed = listed:lower()
  if listed == "keep-alive" or listed == "close" then return nil end
  local options = {}
  for word in listed:gmatch("[^,%s]+") do options[word] = true end
  return options
end

local function unique(names)
  local seen, kept = {}, {}
  for _, name in ipairs(names) do
    if not seen[name] then
      seen[name] = true
      kept[#kept + 1] = name
    end
  end
  return table.concat(kept, ", ")
end

function M.filter(call)
  local route, rules = call.route, call.rules
  local header, needles = ngx.header, route.needles
  local headers = ngx.resp.get_headers(0, true)
  local options = connection_options()
  local dropped, has_request_id, vary = {}, false, nil
  local request_id_header = rules.response.request_id_headers[2]
  for name, found in pairs(headers) do
    local lower, handling = name:lower(), rules.response_handling(name)
    if handling == "replaced" then
      -- nginx sets its own; others are not passed on.
      if lower ~= "content-length" and lower ~= "connection" and lower ~= "transfer-encoding"
        and lower ~= "date" and lower ~= "server" then
        header[name] = nil
      end
    elseif handling == "dropped" then
      for _ = 1, #values_of(found) do dropped[#dropped + 1] = name end
      header[name] = nil
    else
      local kept, is_changed = {}, false
      for _, value in ipairs(values_of(found)) do
        local new, is_dropped = value, not value:find(VALUE)
        if not is_dropped and handling ~= "passed" then
          is_dropped = finds(needles, urls.decoded(value))
          local rewrite = handling == "link" and urls.rewrite_links or urls.rewrite
          new = rewrite(value, route, call.requested)
        end
        if is_dropped or finds(needles, new) then
          dropped[#dropped + 1], is_changed = name, true
        else
          kept[#kept + 1] = new
          is_changed = is_changed or new ~= value
        end
      end
      if options and options[lower] then kept, is_changed = {}, true end
      if lower == "vary" then vary = kept end
      if lower == request_id_header:lower() and #kept > 0 then has_request_id = true end
      if is_changed then header[name] = #kept > 0 and kept or nil end
    end
  end
  for _, pair in ipairs(rules.response.added) do
    if pair[1] == "Vary" and vary then
      vary[#vary + 1] = pair[2]
      header[pair[1]] = vary
    else
      header[pair[1]] = pair[2]
    end
  end
  if #dropped > 0 then header[rules.response.dropped_header] = unique(dropped) end
  if #call.dropped > 0 then header[rules.request.dropped_header] = unique(call.dropped) end
  header[rules.response.request_id_headers[1]] = call.request_id
  if not has_request_id then header[request_id_header] = call.request_id end
end

return M
