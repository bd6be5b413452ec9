// SPDX-License-Identifier: Apache-2.0
// The entry point of `rpmsgd/client`. What it promises is in api.d.ts.

import { BusError } from '../dbus/index.ts';
import type * as api from './api.d.ts';
import { connect } from './client.ts';

export { BusError as RpmsgError, connect };

/** Does not compile unless this module is what api.d.ts says. */
({ connect, RpmsgError: BusError }) satisfies typeof api;
