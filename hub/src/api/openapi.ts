import { Problem } from '@muster/api';
import { z } from 'zod';
import type { Route } from './routes.ts';

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 description of the public API, from the route table. */
export function openApiOf(routes: Route[], version: string): Json {
  const components: Json = {};
  const paths: Record<string, Json> = {};
  const schemaOf = (schema: z.ZodType, io: 'input' | 'output') => describe(schema, io, components);
  const problem = { $ref: (schemaOf(Problem, 'output') as { $ref: string }).$ref };
  for (const route of routes) {
    if (!route.path.startsWith('/api/')) continue;
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] ??= {};
    paths[path][route.method.toLowerCase()] = operationOf(route, schemaOf, problem);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Muster',
      version,
      description: 'The API of a Muster hub. Errors are application/problem+json.',
    },
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(components).sort(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: 'muster_session' },
        token: { type: 'http', scheme: 'bearer' },
      },
    },
  };
}

function operationOf(
  route: Route,
  schemaOf: (schema: z.ZodType, io: 'input' | 'output') => Json,
  problem: Json,
): Json {
  const { rule, answer } = route;
  const body = route.parameters.find(({ place, schema }) => place === 'body' && schema)?.schema;
  const status = String(answer?.status ?? route.status);
  return {
    operationId: route.name,
    tags: [route.name.split('.', 1)[0]],
    ...(rule?.kind === 'public' ? { security: [] } : { security: [{ session: [] }, { token: [] }] }),
    ...(rule?.kind === 'role' && {
      description: `Needs the role ${rule.role}${rule.project === undefined ? ' for all projects' : rule.project === 'any' ? ' for some project' : ' for the project'}.`,
    }),
    parameters: [...pathParameters(route, schemaOf), ...queryParameters(route, schemaOf)],
    ...(body && {
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } },
    }),
    responses: {
      [status]: {
        description: 'Success',
        ...(answer && { content: { 'application/json': { schema: schemaOf(answer.schema, 'output') } } }),
      },
      default: { description: 'Problem', content: { 'application/problem+json': { schema: problem } } },
    },
  };
}

function pathParameters(route: Route, schemaOf: (schema: z.ZodType, io: 'input') => Json): Json[] {
  return [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => {
    const schema = route.parameters.find(
      (parameter) => parameter.place === 'path' && parameter.name === name,
    )?.schema;
    return {
      name,
      in: 'path',
      required: true,
      schema: schema ? schemaOf(schema, 'input') : { type: 'string' },
    };
  });
}

function queryParameters(route: Route, schemaOf: (schema: z.ZodType, io: 'input') => Json): Json[] {
  return route.parameters.flatMap(({ place, name, schema }) => {
    if (place !== 'query') return [];
    if (name) return [{ name, in: 'query', schema: schema ? schemaOf(schema, 'input') : { type: 'string' } }];
    if (!(schema instanceof z.ZodObject)) return [];
    const { properties = {}, required = [] } = schemaOf(schema, 'input') as {
      properties?: Record<string, Json>;
      required?: string[];
    };
    return Object.entries(properties).map(([key, { description, ...one }]) => ({
      name: key,
      in: 'query',
      ...(required.includes(key) && { required: true }),
      ...(description !== undefined && { description }),
      schema: one,
    }));
  });
}

/** JSON Schema of a zod schema; what has an id (`.meta({ id })`) becomes a component. */
function describe(schema: z.ZodType, io: 'input' | 'output', components: Json): Json {
  // In an object, so that a schema with an id is referred to like any other.
  const whole = z.toJSONSchema(z.object({ it: schema }), {
    io,
    unrepresentable: 'any',
    target: 'draft-2020-12',
  });
  for (const [id, definition] of Object.entries((whole['$defs'] ?? {}) as Record<string, Json>)) {
    const { id: _id, ...rest } = definition;
    components[id] ??= rewrite(rest);
  }
  return rewrite((whole.properties as Record<string, Json>)['it']!) as Json;
}

function rewrite(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rewrite);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      key === '$ref' && typeof member === 'string'
        ? member.replace('#/$defs/', '#/components/schemas/')
        : rewrite(member),
    ]),
  );
}
