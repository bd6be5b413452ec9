// SPDX-License-Identifier: Apache-2.0
throw new Error('usocket is not used: rpmsgd brings its own D-Bus transport');
