import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { LOGGER, type Logger } from './logger.ts';
import { Metrics } from './metrics.ts';

/** Gives logger and metrics to every module. */
@Module({})
export class TelemetryModule implements OnApplicationShutdown {
  constructor(@Inject(Metrics) private readonly metrics: Metrics) {}

  static forRoot(logger: Logger): DynamicModule {
    return {
      module: TelemetryModule,
      global: true,
      providers: [{ provide: LOGGER, useValue: logger }, Metrics],
      exports: [LOGGER, Metrics],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.metrics.close();
  }
}
