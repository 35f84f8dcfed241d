-- Encryption with OpenSSL's libcrypto, which nginx has loaded: AES-256-GCM and HMAC-SHA256.
-- `seal` and `open` are also those of the messages in console/gateway/sealed_messages.py.

local ffi = require "ffi"

ffi.cdef [[
typedef struct evp_cipher_ctx_st EVP_CIPHER_CTX;
typedef struct evp_cipher_st EVP_CIPHER;
typedef struct evp_md_st EVP_MD;
EVP_CIPHER_CTX *EVP_CIPHER_CTX_new(void);
void EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *ctx);
const EVP_CIPHER *EVP_aes_256_gcm(void);
int EVP_EncryptInit_ex(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *type, void *engine,
                       const unsigned char *key, const unsigned char *iv);
int EVP_EncryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *outl,
                      const unsigned char *in, int inl);
int EVP_EncryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *outl);
int EVP_DecryptInit_ex(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *type, void *engine,
                       const unsigned char *key, const unsigned char *iv);
int EVP_DecryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *outl,
                      const unsigned char *in, int inl);
int EVP_DecryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *outl);
int EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *ctx, int type, int arg, void *ptr);
const EVP_MD *EVP_sha256(void);
unsigned char *HMAC(const EVP_MD *evp_md, const void *key, int key_len,
                    const unsigned char *data, size_t n, unsigned char *md, unsigned int *md_len);
int RAND_bytes(unsigned char *buf, int num);
]]

local C = ffi.C
local NONCE, TIMESTAMP, IV, TAG, KEY = 32, 10, 12, 16, 32
local GET_TAG, SET_TAG = 0x10, 0x11

local M = {}

function M.random(length)
  local bytes = ffi.new("unsigned char[?]", length)
  if C.RAND_bytes(bytes, length) ~= 1 then error("no random bytes") end
  return ffi.string(bytes, length)
end

function M.hmac(key, text)
  local digest, length = ffi.new("unsigned char[32]"), ffi.new("unsigned int[1]")
  if C.HMAC(C.EVP_sha256(), key, #key, text, #text, digest, length) == nil then
    error("no HMAC")
  end
  return ffi.string(digest, 32)
end

local function context()
  local ctx = C.EVP_CIPHER_CTX_new()
  if ctx == nil then error("no cipher context") end
  return ffi.gc(ctx, C.EVP_CIPHER_CTX_free)
end

-- Return IV, ciphertext and tag in one string. `about` is authenticated, and not part of it.
function M.seal(key, about, text)
  local iv = M.random(IV)
  local ctx, length = context(), ffi.new("int[1]")
  local out = ffi.new("unsigned char[?]", #text + TAG)
  if C.EVP_EncryptInit_ex(ctx, C.EVP_aes_256_gcm(), nil, key, iv) ~= 1
    or C.EVP_EncryptUpdate(ctx, nil, length, about, #about) ~= 1
    or C.EVP_EncryptUpdate(ctx, out, length, text, #text) ~= 1
    or C.EVP_EncryptFinal_ex(ctx, out + length[0], length) ~= 1
    or C.EVP_CIPHER_CTX_ctrl(ctx, GET_TAG, TAG, out + #text) ~= 1 then
    error("cannot encrypt")
  end
  return iv .. ffi.string(out, #text + TAG)
end

-- Return the text, or nil if it was not sealed with this key and `about`.
function M.open(key, about, sealed)
  local size = #sealed - IV - TAG
  if size < 0 then return nil end
  local ctx, length = context(), ffi.new("int[1]")
  local out = ffi.new("unsigned char[?]", size + 1)
  local tag = ffi.new("unsigned char[16]")
  ffi.copy(tag, sealed:sub(-TAG), TAG)
  if C.EVP_DecryptInit_ex(ctx, C.EVP_aes_256_gcm(), nil, key, sealed:sub(1, IV)) ~= 1
    or C.EVP_DecryptUpdate(ctx, nil, length, about, #about) ~= 1
    or C.EVP_DecryptUpdate(ctx, out, length, sealed:sub(IV + 1, IV + size), size) ~= 1
    or C.EVP_CIPHER_CTX_ctrl(ctx, SET_TAG, TAG, tag) ~= 1
    or C.EVP_DecryptFinal_ex(ctx, out + length[0], length) ~= 1 then
    return nil
  end
  return ffi.string(out, size)
end

-- Return a request for the console, and a function that opens its answer.
function M.request(secret, path, text)
  local nonce, timestamp = M.random(NONCE), string.format("%0" .. TIMESTAMP .. "d", ngx.time())
  local sealed = M.seal(M.hmac(secret, "request" .. nonce), path .. timestamp, text)
  local key = M.hmac(secret, "answer" .. nonce)
  return nonce .. timestamp .. sealed, function(answer) return M.open(key, path, answer) end
end

return M
