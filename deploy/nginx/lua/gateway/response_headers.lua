-- The headers of a response for the program, as in connections/calls/proxy_response.py.

local urls = require "gateway.urls"

local M = {}

local INVALID = "[^\\t\\x20-\\x7e\\x80-\\xff]"

local function is_invalid(text)
  return ngx.re.find(text, INVALID, "jo") ~= nil
end

local function finds(needles, text)
  for _, needle in ipairs(needles) do
    if text:find(needle, 1, true) then return true end
  end
  return false
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

-- Headers that nginx writes itself.
local NGINX_OWN = { ["content-length"] = true, connection = true, ["transfer-encoding"] = true,
                    date = true, server = true }

-- Return the values of one header that are passed, and those that are not.
local function sorted(values, handling, call)
  local kept, dropped = {}, 0
  for _, value in ipairs(values) do
    local is_kept = not is_invalid(value)
    if is_kept and handling ~= "passed" then
      is_kept = not finds(call.route.needles, urls.decoded(value))
      local rewrite = handling == "link" and urls.rewrite_links or urls.rewrite
      value = rewrite(value, call.route, call.requested)
    end
    if is_kept then kept[#kept + 1] = value else dropped = dropped + 1 end
  end
  return kept, dropped
end

-- Leave out the values that contain the credential.
local function without_secrets(passed, needles, dropped)
  for name, values in pairs(passed) do
    local kept = {}
    for _, value in ipairs(values) do
      if finds(needles, value) then
        dropped[#dropped + 1] = name
      else
        kept[#kept + 1] = value
      end
    end
    if #kept < #values then
      passed[name] = kept
      ngx.header[name] = #kept > 0 and kept or nil
    end
  end
end

function M.filter(call)
  local rules, header, needles = call.rules, ngx.header, call.route.needles
  local handling_of = rules.response_handling
  local options = connection_options()
  local passed, texts, dropped = {}, {}, {}
  local vary, has_request_id, rewritten
  local own, request_id = rules.response.request_id_headers[1], rules.response.request_id_headers[2]
  for name, found in pairs(ngx.resp.get_headers(0, true)) do
    local handling, lower = handling_of(name)
    local values = type(found) == "table" and found or { found }
    if handling == "replaced" then
      if not NGINX_OWN[lower] then header[name] = nil end
    elseif handling == "dropped" then
      dropped[#dropped + 1] = name
      header[name] = nil
    elseif options and options[lower] then
      header[name] = nil
    else
      if handling ~= "passed" or is_invalid(table.concat(values)) then
        local missing
        values, missing = sorted(values, handling, call)
        if missing > 0 then dropped[#dropped + 1] = name end
        -- Setting a header replaces those of the same name in another case.
        rewritten = rewritten or {}
        local all = rewritten[lower] or {}
        for _, value in ipairs(values) do all[#all + 1] = value end
        rewritten[lower], header[name] = all, #all > 0 and all or nil
      end
      passed[name] = values
      for _, value in ipairs(values) do texts[#texts + 1] = value end
      if lower == "vary" then
        vary = name
      elseif lower == "x-request-id" and #values > 0 then
        has_request_id = true
      end
    end
  end
  if finds(needles, table.concat(texts, "\n")) then without_secrets(passed, needles, dropped) end
  for _, pair in ipairs(rules.response.added) do
    if vary and pair[1] == "Vary" then
      local values = { unpack(passed[vary]) }
      values[#values + 1] = pair[2]
      header["Vary"] = values
    else
      header[pair[1]] = pair[2]
    end
  end
  if #dropped > 0 then header[rules.response.dropped_header] = unique(dropped) end
  if #call.dropped > 0 then header[rules.request.dropped_header] = unique(call.dropped) end
  header[own] = call.request_id
  if not has_request_id then header[request_id] = call.request_id end
end

return M
