-- Ask the console: one sealed message over a connection of its own.

local cjson = require "cjson.safe"
local messages = require "gateway.sealed_messages"
local settings = require "gateway.settings"

local MAX_ANSWER = 1024 * 1024
local CONNECT_MS, SEND_MS, ANSWER_MS = 1000, 1000, 4000

local M = {}

local function exchange(sock, path, body)
  sock:settimeouts(CONNECT_MS, SEND_MS, ANSWER_MS)
  local connected = settings.console_port
    and sock:connect(settings.console_host, settings.console_port)
    or not settings.console_port and sock:connect(settings.console_host)
  if not connected then return nil end
  -- HTTP/1.0, so that the answer has Content-Length and no chunks.
  local head = "POST " .. path .. " HTTP/1.0\r\nHost: " .. settings.host
    .. "\r\nX-Forwarded-Proto: " .. (settings.public_url:find("^https:") and "https" or "http")
    .. "\r\nContent-Type: application/octet-stream\r\nContent-Length: " .. #body .. "\r\n\r\n"
  if not sock:send(head .. body) then return nil end
  local status = sock:receive("*l")
  if not status or not status:find("^HTTP/1%.%d 200") then return nil end
  local length
  for _ = 1, 100 do
    local line = sock:receive("*l")
    if not line then return nil end
    if line == "" then break end
    length = tonumber(line:lower():match("^content%-length:%s*(%d+)$")) or length
  end
  if not length or length > MAX_ANSWER then return nil end
  return (sock:receive(length))
end

-- Return the console's answer, or nil if there is none that it has sealed for this question.
function M.ask(path, question)
  local body, open = messages.request(settings.secret, path, cjson.encode(question))
  local sock = ngx.socket.tcp()
  local sealed = exchange(sock, path, body)
  sock:close()
  local text = sealed and open(sealed)
  return text and cjson.decode(text)
end

return M
