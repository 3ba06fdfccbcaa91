import { type DynamicModule, Module } from '@nestjs/common';
import { LOGGER, type Logger } from './logger.ts';

/** Gives the logger to every module. */
@Module({})
export class TelemetryModule {
  static forRoot(logger: Logger): DynamicModule {
    return {
      module: TelemetryModule,
      global: true,
      providers: [{ provide: LOGGER, useValue: logger }],
      exports: [LOGGER],
    };
  }
}
