// SPDX-License-Identifier: Apache-2.0
// What rpmsgd.node exports. No state outside the objects it makes: it may be loaded by several
// environments of one process.
#include <napi.h>

#include "napi/bus_socket.h"
#include "napi/link_wrap.h"
#include "napi/mu_look.h"
#include "napi/packet_socket.h"
#include "napi/pty.h"
#include "napi/system_calls.h"
#include "napi/tty_relay.h"

static Napi::Object init_addon(Napi::Env env, Napi::Object exports) {
  exports.Set("Link", rpmsg::LinkWrap::define(env));
  exports.Set("BusSocket", rpmsg::BusSocket::define(env));
  exports.Set("PacketSocket", rpmsg::PacketSocket::define(env));
  exports.Set("TtyRelay", rpmsg::TtyRelay::define(env));
  rpmsg::define_pty_calls(env, exports);
  rpmsg::define_system_calls(env, exports);
  rpmsg::define_mu_look(env, exports);
  return exports;
}

NODE_API_MODULE(NODE_GYP_MODULE_NAME, init_addon)
