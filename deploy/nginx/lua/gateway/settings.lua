-- The operator's settings, read once by nginx's master process.

local messages = require "gateway.sealed_messages"

local M = {
  -- Made at each start, and known to the workers only: it encrypts routes in shared memory.
  memory_key = messages.random(32),
}

-- `console` is "host:port" with an IP address, or "unix:/path"; `host` is for the Host header.
function M.configure(values)
  local file = assert(io.open(values.secret_file, "rb"))
  local secret = file:read("*a"):gsub("%s+$", "")
  file:close()
  if #secret < 32 then error("the secret in " .. values.secret_file .. " is too short") end
  M.secret = secret
  M.host = values.host
  M.public_url = values.public_url:gsub("/$", "")
  if values.console:find("^unix:") then
    M.console_host = values.console
  else
    local host, port = values.console:match("^(.+):(%d+)$")
    M.console_host, M.console_port = host, tonumber(port)
  end
end

return M
