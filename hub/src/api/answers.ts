import { SetMetadata } from '@nestjs/common';
import type { z } from 'zod';

export const ANSWER = Symbol('answer');

/** What a route answers with, for the OpenAPI description. */
export interface Answer {
  schema: z.ZodType;
  status: number;
}

/** Describes the body of a route's success: `@Answers(Cluster)`, `@Answers(Cluster, 201)`. */
export function Answers(schema: z.ZodType, status = 200) {
  return SetMetadata(ANSWER, { schema, status } satisfies Answer);
}
