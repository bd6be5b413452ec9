// SPDX-License-Identifier: Apache-2.0
// The part of libuv's stable 1.x ABI that is used. The Node executable exports it; node-api-headers
// has no uv.h.
#pragma once

#include <cstddef>

extern "C" {
struct uv_loop_s;
struct uv_handle_s;
size_t uv_handle_size(int type);
void uv_handle_set_data(uv_handle_s* handle, void* data);
void* uv_handle_get_data(const uv_handle_s* handle);
int uv_async_init(uv_loop_s* loop, uv_handle_s* async, void (*callback)(uv_handle_s*));
int uv_async_send(uv_handle_s* async);
int uv_poll_init(uv_loop_s* loop, uv_handle_s* poll, int fd);
int uv_poll_start(uv_handle_s* poll, int events, void (*callback)(uv_handle_s*, int, int));
int uv_poll_stop(uv_handle_s* poll);
void uv_close(uv_handle_s* handle, void (*closed)(uv_handle_s*));
void uv_unref(uv_handle_s* handle);
}
