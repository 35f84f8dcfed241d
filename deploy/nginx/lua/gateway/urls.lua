-- URLs: which requests are plain enough, and how URLs in responses are rewritten. The rewriting
-- is that of UrlRewriter in connections/calls/proxy_response.py, which tests compare.

local M = {}

-- A plain proxy URL: link name, path and query. Not plain are dot segments, an empty first segment,
-- and escapes that some server could read as a part of the path's structure: of control
-- characters, dot, slash, backslash, percent, semicolon, and overlong forms of UTF-8.
local ESCAPE = "%[0-9A-Fa-f]{2}"
local PLAIN_ESCAPE = "%(?!2[EFef5]|5[Cc]|3[Bb]|7[Ff]|[Cc][01]|[EFef]0|[01])[0-9A-Fa-f]{2}"
local CHARACTERS = "A-Za-z0-9\\-._~!$&'()*+,;=:@"
local PLAIN_URL = "^/api/v1/connections/([a-z0-9_-]+)/proxy"
  .. "((?!//)(?:/(?!\\.{1,2}(?:[/;?]|$))(?:[" .. CHARACTERS .. "]++|" .. PLAIN_ESCAPE .. ")*+)*+)"
  .. "(?:\\?((?:[" .. CHARACTERS .. "/?]++|" .. ESCAPE .. ")*+))?$"

-- Return link name, path and query (or nil) of a plain proxy URL, or nil if it is another.
function M.parts_of(target)
  if target:find("dc_", 1, true) then return nil end -- it may be a key, which must not be there
  local found = ngx.re.match(target, PLAIN_URL, "jo")
  if not found then return nil end
  return found[1], found[2], found[3] or nil
end

-- Tell whether a query could hold a parameter that the signature sets.
function M.may_hold(query, parameters)
  local lower = query:lower()
  if lower:find("[%%+]") then return true end
  for _, name in ipairs(parameters) do
    if lower:find(name, 1, true) then return true end
  end
  return false
end

-- Split a URL as RFC 3986 (appendix B) does; scheme, authority, path, query and fragment.
local function split(url)
  local scheme, rest = url:match("^([A-Za-z][A-Za-z0-9+.-]*):(.*)$")
  rest = rest or url
  local fragment, query, authority
  local at = rest:find("#", 1, true)
  if at then rest, fragment = rest:sub(1, at - 1), rest:sub(at + 1) end
  at = rest:find("?", 1, true)
  if at then rest, query = rest:sub(1, at - 1), rest:sub(at + 1) end
  local found, path = rest:match("^//([^/]*)(.*)$")
  if found then authority, rest = found, path end
  return { scheme = scheme, authority = authority, path = rest, query = query,
           fragment = fragment }
end

local function joined(parts)
  local path = parts.path
  if parts.authority and path:find("^[^/]") then path = "/" .. path end
  return (parts.scheme and parts.scheme .. ":" or "")
    .. (parts.authority and "//" .. parts.authority or "") .. path
    .. (parts.query and parts.query ~= "" and "?" .. parts.query or "")
    .. (parts.fragment and parts.fragment ~= "" and "#" .. parts.fragment or "")
end

local function segments_of(path)
  local segments = {}
  for segment in (path .. "/"):gmatch("([^/]*)/") do segments[#segments + 1] = segment end
  return segments
end

-- As urllib.parse.urljoin does with a path (RFC 3986 section 5.2).
local function joined_path(base, path)
  local all
  if path:sub(1, 1) == "/" then
    all = segments_of(path)
  else
    all = segments_of(base)
    all[#all] = nil
    for _, segment in ipairs(segments_of(path)) do all[#all + 1] = segment end
    -- Empty segments in the middle are left out, as urljoin does.
    local kept = {}
    for index, segment in ipairs(all) do
      if index == 1 or index == #all or segment ~= "" then kept[#kept + 1] = segment end
    end
    all = kept
  end
  local resolved = {}
  for _, segment in ipairs(all) do
    if segment == ".." then
      resolved[#resolved] = nil
    elseif segment ~= "." then
      resolved[#resolved + 1] = segment
    end
  end
  local last = all[#all]
  if last == "." or last == ".." then resolved[#resolved + 1] = "" end
  local whole = table.concat(resolved, "/")
  return whole ~= "" and whole or "/"
end

-- As urllib.parse.urljoin does, for a base with a host.
local function join(base, reference)
  if reference == "" then return base end
  local own, other = split(base), split(reference)
  other.scheme = own.scheme
  if other.authority and other.authority ~= "" then return joined(other) end
  other.authority = own.authority
  if other.path == "" then
    other.path = own.path
    if not other.query or other.query == "" then other.query = own.query end
    return joined(other)
  end
  other.path = joined_path(own.path, other.path)
  return joined(other)
end

local PORTS = { http = "80", https = "443" }

-- Return scheme, host and port in lower case, or nil for what is not a URL of a web service.
local function origin_of(parts)
  local scheme = parts.scheme and parts.scheme:lower()
  if not PORTS[scheme] or not parts.authority then return nil end
  local host, port = parts.authority:lower():match("^(.-):(%d*)$")
  if not host then host = parts.authority:lower() end
  if not port or port == "" then port = PORTS[scheme] end
  return scheme .. "://" .. host .. ":" .. (tonumber(port) or port)
end

local function unquoted(text)
  return (text:gsub("%%(%x%x)", function(code) return string.char(tonumber(code, 16)) end))
end

-- As leaves_api in connectors/api/request_urls.py.
local function leaves_api(path)
  for _ = 1, 5 do
    if path:find("%z") or path:find("^[/\\][/\\]") then return true end
    local lower = path:lower()
    if lower:find("%%c0%%a[ef]") or lower:find("%%c1%%9c")
      or lower:find("%%e0%%8[01]%%[89ab]%x") or lower:find("%%f0%%80%%8[01]%%[89ab]%x") then
      return true
    end
    for segment in (path .. "/"):gmatch("([^/\\]*)[/\\]") do
      local bare = segment:match("^[^;]*"):gsub("[%z\1-\32]", "")
      if bare == "." or bare == ".." then return true end
    end
    local decoded = unquoted(path)
    if decoded == path then return false end
    path = decoded
  end
  return true
end

local function below_base(base, url)
  local parts, own = split(url), split(base)
  if parts.authority and parts.authority:find("@", 1, true) then return nil end
  local origin = origin_of(parts)
  if not origin or origin ~= origin_of(own) then return nil end
  if parts.path:sub(1, #own.path) ~= own.path then return nil end
  local path = parts.path:sub(#own.path + 1)
  if path ~= "" and path:sub(1, 1) ~= "/" or leaves_api(path) then return nil end
  local at = url:find("[?#]")
  return path .. (at and url:sub(at) or "")
end

-- Return the URL that a program follows instead of the reference of a response to `requested`.
function M.rewrite(reference, route, requested)
  local plain = reference:match("^%s*(.-)%s*$"):gsub("[^%w%p]", function(character)
    return string.format("%%%02X", character:byte())
  end):gsub("\\", "%%5C")
  local is_absolute = plain:find("^[A-Za-z][A-Za-z0-9+.-]*:")
  local url = is_absolute and plain or join(requested, plain)
  local below = below_base(route.base, url)
  if below then return route.proxy_url .. below end
  return is_absolute and reference or url
end

-- Return a Link header with rewritten targets; text in quotes is a parameter (RFC 8288).
function M.rewrite_links(value, route, requested)
  local pieces, at = {}, 1
  while at <= #value do
    local mark = value:find('["<]', at)
    if not mark then break end
    pieces[#pieces + 1] = value:sub(at, mark - 1)
    local quoted, target
    if value:sub(mark, mark) == '"' then
      local position = mark + 1
      while position <= #value do
        local character = value:sub(position, position)
        if character == "\\" then
          position = position + 1
        elseif character == '"' then
          quoted = value:sub(mark, position)
          break
        end
        position = position + 1
      end
    else
      target = value:match('^<([^<>"]*)>', mark)
    end
    if quoted then
      pieces[#pieces + 1], at = quoted, mark + #quoted
    elseif target then
      pieces[#pieces + 1] = "<" .. M.rewrite(target, route, requested) .. ">"
      at = mark + #target + 2
    else
      pieces[#pieces + 1], at = value:sub(mark, mark), mark + 1
    end
  end
  pieces[#pieces + 1] = value:sub(at)
  return table.concat(pieces)
end

-- Return a URL as it is written and as each reader could decode it.
function M.decoded(value)
  if not value:find("[%%+]") then return value end
  local once = unquoted(value)
  return table.concat({ value, once, unquoted((value:gsub("+", " "))), unquoted(once) }, "\n")
end

return M
