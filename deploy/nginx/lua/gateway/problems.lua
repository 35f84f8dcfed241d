-- Problem documents (RFC 9457) that nginx sends itself, written by the console.

local M = {}

local function set_head(problem, call)
  ngx.status = problem.status
  for name, value in pairs(problem.headers) do ngx.header[name] = value end
  for _, name in ipairs(call.rules.response.request_id_headers) do
    ngx.header[name] = call.request_id
  end
  ngx.header["Content-Length"] = #problem.body
end

-- Answer with a problem before anything was sent to the service.
function M.answer(slug, call)
  local problem = call.rules.problems[slug]
  set_head(problem, call)
  ngx.header["Retry-After"] = math.random(unpack(call.rules.busy_seconds))
  if ngx.req.get_method() ~= "HEAD" then ngx.print(problem.body) end
  return ngx.exit(ngx.HTTP_OK)
end

-- In the header filter: replace nginx's own error page. Return the body.
function M.replace(slug, call)
  local problem = call.rules.problems[slug]
  set_head(problem, call)
  return ngx.req.get_method() == "HEAD" and "" or problem.body
end

return M
