// SPDX-License-Identifier: Apache-2.0
// Holds merged files against the schema: unknown keys, wrong types, values out of range.

import * as v from 'valibot';
import { nearest } from '../util/nearest.ts';
import { isTable, type PathStep } from './origins.ts';
import type { Problem } from './problems.ts';
import { printValue } from './problems.ts';
import { type FileShape, fileSchema } from './schema.ts';
import type { MergedSources } from './sources.ts';

/** A complaint about one value, placed where a file says it. */
export type Complain = (path: readonly PathStep[], rule: string) => void;

export function complainer(
  { root, origins }: MergedSources,
  problems: Problem[],
  fallback: string,
): Complain {
  return (path, rule) => {
    const origin = origins.find(root, path, fallback);
    if (problems.some((known) => known.file === origin.file && known.key === origin.key)) return;
    const value = at(root, path);
    const name = path.filter((step) => typeof step === 'string').at(-1) ?? '';
    problems.push({
      ...origin,
      ...(value === undefined ? {} : { value: printValue(String(name), value) }),
      rule,
    });
  };
}

function at(root: unknown, path: readonly PathStep[]): unknown {
  let here = root;
  for (const step of path) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = (here as Record<PathStep, unknown>)[step];
  }
  return here;
}

/** The typed contents, or undefined when their types are wrong. Ranges are complained about too. */
export function validateShape(sources: MergedSources, complain: Complain): FileShape | undefined {
  reportUnknownKeys(fileSchema, sources.root, [], complain);
  const result = v.safeParse(fileSchema, sources.root);
  for (const issue of result.issues ?? []) {
    const path = (issue.path ?? []).map((item) => item.key as PathStep);
    complain(path, missing(issue) ? `is missing: ${issue.message}` : issue.message);
  }
  return result.typed ? result.output : undefined;
}

function missing(issue: v.BaseIssue<unknown>): boolean {
  return issue.kind === 'schema' && issue.received === 'undefined';
}

/** As much of a valibot schema as is needed to walk it. */
interface Node {
  readonly type: string;
  readonly wrapped?: Node;
  readonly item?: Node;
  readonly entries?: Readonly<Record<string, Node>>;
}

function reportUnknownKeys(
  schema: unknown,
  value: unknown,
  path: readonly PathStep[],
  complain: Complain,
): void {
  const { wrapped, item, entries } = schema as Node;
  if (wrapped !== undefined) reportUnknownKeys(wrapped, value, path, complain);
  if (item !== undefined && Array.isArray(value)) {
    for (const [index, one] of value.entries()) {
      reportUnknownKeys(item, one, [...path, index], complain);
    }
  }
  if (entries === undefined || !isTable(value)) return;
  for (const [key, one] of Object.entries(value)) {
    const known = entries[key];
    if (known === undefined) complain([...path, key], unknownKey(key, Object.keys(entries)));
    else reportUnknownKeys(known, one, [...path, key], complain);
  }
}

function unknownKey(key: string, known: readonly string[]): string {
  const guess = nearest(key, known);
  if (guess !== undefined) return `is not a key that is known here; did you mean ${guess}?`;
  return `is not a key that is known here; remove it (known are ${known.join(', ')})`;
}
