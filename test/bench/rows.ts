// SPDX-License-Identifier: Apache-2.0
// All rows, in the order of the table.

import { recovery } from './recovery.ts';
import type { Row } from './row.ts';

export const rows: readonly Row[] = [recovery];
