/** Asks a jq worker for the paths that a program names in one JSON text. */
export interface JqJob {
  expression: string;
  text: string;
}

export interface JqAnswer {
  paths?: (string | number)[][];
  error?: string;
}
