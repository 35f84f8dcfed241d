-- The headers of a request for the service, as in connections/calls/proxy_request.py.

local M = {}

local INVALID = "[^\\t\\x20-\\x7e\\x80-\\xff]"
-- Headers that nginx sets for each connection.
local NGINX_OWN = { host = true, connection = true, ["content-length"] = true }


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

-- Names in lower case, remembered.
local lower_names, name_count = {}, 0

local function lower_of(name)
  local lower = lower_names[name]
  if not lower then
    lower = name:lower()
    if name_count < 1000 then
      lower_names[name], name_count = lower, name_count + 1
    end
  end
  return lower
end

-- Return the API key and the person's token of a plain request, and the headers by their names in
-- lower case. Everything that this function returns nil for is left to the Python path.
function M.plain(headers)
  local read, texts = {}, {}
  for name, value in pairs(headers) do
    local lower = lower_of(name)
    -- Some services read an underscore in a name as a hyphen.
    if type(value) ~= "string" or read[lower] or name:find("_", 1, true) then return nil end
    read[lower] = value
    texts[#texts + 1] = value
  end
  if ngx.re.find(table.concat(texts, " "), INVALID, "jo") then return nil end
  if read["upgrade"] or read["expect"] or read["transfer-encoding"] then return nil end
  local found = ngx.re.match(read["authorization"] or "", "^bearer +([^ ]+)$", "joi")
  if not found then return nil end
  local user = read["console-user"] or ""
  if user:find(" ", 1, true) then return nil end
  return found[1], user, read
end

-- Set the headers for the service. Return what undoes it, and the names of dropped headers.
function M.set(headers, read, route, rules)
  local undo, dropped = {}, {}
  local encoding = "identity"
  local handling_of, signature = rules.request_handling, route.signature_names
  for name, value in pairs(headers) do
    local handling, lower = handling_of(name)
    local is_signed = signature[lower]
    if lower == "accept-encoding" then
      encoding = value
    elseif handling == "dropped" or handling == "passed" and is_signed then
      dropped[#dropped + 1] = name
    end
    -- nginx sets its own for each connection itself (proxy_set_header).
    if not NGINX_OWN[lower] and (handling ~= "passed" or is_signed) then
      undo[#undo + 1] = { name, value }
      ngx.req.clear_header(name)
    end
  end
  for name, value in pairs(route.headers) do
    local lower = lower_of(name)
    if not read[lower] and not signature[lower] then
      undo[#undo + 1] = { name }
      ngx.req.set_header(name, value)
    end
  end
  if not read["user-agent"] and not route.headers["User-Agent"] and not signature["user-agent"] then
    undo[#undo + 1] = { "User-Agent" }
    ngx.req.set_header("User-Agent", rules.user_agent)
  end
  if not read["accept-encoding"] then undo[#undo + 1] = { "Accept-Encoding" } end
  ngx.req.set_header("Accept-Encoding", encoding)
  for name, value in pairs(route.signature) do
    if not read[lower_of(name)] then undo[#undo + 1] = { name } end
    ngx.req.set_header(name, value)
  end
  if not read["cdn-loop"] then undo[#undo + 1] = { "CDN-Loop" } end
  ngx.req.set_header("CDN-Loop", rules.loop_token)
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
