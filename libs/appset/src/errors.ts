import { type ErrorCode, MusterError } from '@muster/base';

/** Argo CD's reasons for the condition ErrorOccurred. */
export type ExpansionReason = 'ApplicationGenerationFromParamsError' | 'RenderTemplateParamsError';

/** An expansion that failed as a whole: nothing may be created, changed or deleted because of it. */
export class ExpansionError extends MusterError {
  readonly reason: ExpansionReason;

  constructor(
    reason: ExpansionReason,
    message: string,
    where: string,
    code: ErrorCode = 'invalid',
    cause?: unknown,
  ) {
    super(code, message, { where, cause });
    this.name = 'ExpansionError';
    this.reason = reason;
  }

  /** Keeps an ExpansionError; gives everything else (a repository that cannot be read) the reason and place. */
  static wrap(thrown: unknown, reason: ExpansionReason, where: string, prefix = ''): ExpansionError {
    if (thrown instanceof ExpansionError) {
      if (!prefix) return thrown;
      return new ExpansionError(
        thrown.reason,
        prefix + thrown.message,
        thrown.where ?? where,
        thrown.code,
        thrown,
      );
    }
    const known = thrown instanceof MusterError;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const place = known && thrown.where && thrown.where !== where ? `${where} (${thrown.where})` : where;
    return new ExpansionError(reason, prefix + message, place, known ? thrown.code : 'invalid', thrown);
  }
}

export const paramsError = (message: string, where: string) =>
  new ExpansionError('ApplicationGenerationFromParamsError', message, where);

export const renderError = (message: string, where: string) =>
  new ExpansionError('RenderTemplateParamsError', message, where);
