import { RequestMethod } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { MusterError } from '@muster/base';
import type { z } from 'zod';
import { ACCESS_RULE, type AccessRule } from '../access/decorators.ts';
import { ANSWER, type Answer } from './answers.ts';

// The metadata keys of Nest's own decorators (its constants module is not part of its public API).
const PATH = 'path';
const METHOD = 'method';
const STATUS = '__httpCode__';
const ARGUMENTS = '__routeArguments__';

export type ParameterPlace = 'body' | 'query' | 'path';
const PLACES = new Map<number, ParameterPlace>([
  [3, 'body'],
  [4, 'query'],
  [5, 'path'],
]);

/** One route as its decorators describe it. */
export interface Route {
  /** `GET`, `POST` … */
  method: string;
  /** Such as `/api/v1/users/:name`. */
  path: string;
  /** Controller and handler, such as `users.list`. */
  name: string;
  rule: AccessRule | undefined;
  status: number;
  answer: Answer | undefined;
  parameters: { place: ParameterPlace; name: string | undefined; schema: z.ZodType | undefined }[];
}

/** The real route table, sorted by path and method. */
export function routesOf(discovery: DiscoveryService): Route[] {
  const scanner = new MetadataScanner();
  const routes: Route[] = [];
  for (const { metatype, instance } of discovery.getControllers()) {
    if (typeof metatype !== 'function' || !instance) continue;
    const prefixes = [Reflect.getMetadata(PATH, metatype) as string | string[]].flat();
    const prototype = Object.getPrototypeOf(instance) as Record<string, object>;
    for (const handlerName of scanner.getAllMethodNames(prototype)) {
      const handler = prototype[handlerName]!;
      const method = Reflect.getMetadata(METHOD, handler) as RequestMethod | undefined;
      if (method === undefined) continue;
      for (const prefix of prefixes) {
        for (const path of [Reflect.getMetadata(PATH, handler) as string | string[]].flat()) {
          routes.push({
            method: RequestMethod[method],
            path: `/${prefix}/${path}`.replace(/\/+/g, '/').replace(/(.)\/$/, '$1'),
            name: `${metatype.name.replace(/Controller$/, '').replace(/^./, (letter) => letter.toLowerCase())}.${handlerName}`,
            rule: (Reflect.getMetadata(ACCESS_RULE, handler) ?? Reflect.getMetadata(ACCESS_RULE, metatype)) as
              | AccessRule
              | undefined,
            status:
              (Reflect.getMetadata(STATUS, handler) as number | undefined) ??
              (method === RequestMethod.POST ? 201 : 200),
            answer: Reflect.getMetadata(ANSWER, handler) as Answer | undefined,
            parameters: parametersOf(metatype, handlerName),
          });
        }
      }
    }
  }
  return routes.sort((a, b) =>
    a.path === b.path ? (a.method < b.method ? -1 : 1) : a.path < b.path ? -1 : 1,
  );
}

function parametersOf(metatype: object, handlerName: string): Route['parameters'] {
  const args = (Reflect.getMetadata(ARGUMENTS, metatype, handlerName) ?? {}) as Record<
    string,
    { data?: unknown; schema?: z.ZodType }
  >;
  return Object.entries(args).flatMap(([key, { data, schema }]) => {
    const place = PLACES.get(Number(key.split(':', 1)[0]));
    return place ? [{ place, name: typeof data === 'string' ? data : undefined, schema }] : [];
  });
}

/** Throws MusterError `internal` naming every route that says nothing about who may call it. */
export function requireRules(routes: Route[]): void {
  const open = routes.filter(({ rule }) => rule === undefined);
  if (open.length > 0) {
    throw new MusterError(
      'internal',
      `routes without @Allow or @Public: ${open.map(({ name }) => name).join(', ')}`,
    );
  }
}
