-- The headers of a request for the service, as in connections/calls/proxy_request.py.

local M = {}

local VALUE = "^[\33-\126\128-\255][\t\32-\126\128-\255]*$"


-- Headers that stay although Connection names them: they are for the console or for nginx.
local KEPT = { authorization = true, ["console-user"] = true, host = true, connection = true,
               ["content-length"] = true, ["transfer-encoding"] = true, upgrade = true,
               expect = true, ["cdn-loop"] = true }

-- Remove the headers that Connection names (RFC 9110 section 7.6.1); nginx does not, and replaces
-- Connection.
function M.drop_options(headers)
  for name, value in pairs(headers) do
    if #name == 10 and name:lower() == "connection" and type(value) == "string"
      and value ~= "keep-alive" and value ~= "close" then
      local options = {}
      for word in value:lower():gmatch("[^,%s]+") do options[word] = not KEPT[word] end
      local named = {}
      for each in pairs(headers) do
        if options[each:lower()] then named[#named + 1] = each end
      end
      for _, each in ipairs(named) do
        ngx.req.clear_header(each)
        headers[each] = nil
      end
      return
    end
  end
end

-- Return the API key and the person's token of a plain request. Everything that this function
-- returns nil for is left to the Python path.
function M.plain(headers)
  for name, value in pairs(headers) do
    if type(value) ~= "string" or name:find("_", 1, true)
      or value ~= "" and not value:find(VALUE) then
      return nil
    end
  end
  local read = {}
  for name, value in pairs(headers) do
    local lower = name:lower()
    if read[lower] then return nil end
    read[lower] = value
  end
  if read["upgrade"] or read["expect"] or read["transfer-encoding"] then return nil end
  local key = (read["authorization"] or ""):match("^[Bb][Ee][Aa][Rr][Ee][Rr] +([^ ]+)$")
  if not key then return nil end
  local user = read["console-user"] or ""
  if user:find(" ", 1, true) then return nil end
  return key, user, read
end

-- Set the headers for the service. Return what undoes it, and the names of dropped headers.
function M.set(headers, route, rules)
  local undo, dropped, lower_names = {}, {}, {}
  local encoding = "identity"
  local handling_of = rules.request_handling
  local signature = {}
  for name, value in pairs(route.signature) do signature[name:lower()] = { name, value } end
  for name, value in pairs(headers) do
    local handling, lower = handling_of(name)
    lower_names[lower] = true
    if lower == "accept-encoding" then
      encoding = value
    elseif handling == "dropped" then
      dropped[#dropped + 1] = name
    elseif handling == "passed" and signature[lower] then
      dropped[#dropped + 1] = name
    end
    -- nginx sets these for each connection itself (proxy_set_header).
    local is_nginx_own = lower == "host" or lower == "connection" or lower == "content-length"
    if not is_nginx_own and (handling ~= "passed" or signature[lower]) then
      undo[#undo + 1] = { name, value }
      ngx.req.clear_header(name)
    end
  end
  local function set(name, value)
    if not lower_names[name:lower()] then undo[#undo + 1] = { name } end
    ngx.req.set_header(name, value)
  end
  for name, value in pairs(route.headers) do
    if not lower_names[name:lower()] and not signature[name:lower()] then set(name, value) end
  end
  if not lower_names["user-agent"] and not route.headers["User-Agent"] then
    set("User-Agent", rules.user_agent)
  end
  set("Accept-Encoding", encoding)
  for _, pair in pairs(signature) do set(pair[1], pair[2]) end
  set("CDN-Loop", rules.loop_token)
  return undo, dropped
end

-- Make the request again what the program sent.
function M.restore(undo)
  for _, pair in ipairs(undo) do
    if pair[2] then
      ngx.req.set_header(pair[1], pair[2])
    else
      ngx.req.clear_header(pair[1])
    end
  end
end

return M
