/**
 * The chains of modules of a proxy: filled once, when the proxy is made, and instantiated for each request.
 */
import type { HttpModule, HttpModuleBuilder, RequestHeader } from '@cirque/http';

/** What {@link ProxyPhases.initDownstreamModules} and `initUpstreamModules` fill. */
export class HttpModules {
  readonly #where: string;
  readonly #builders: HttpModuleBuilder[] = [];
  #closed = false;

  /** @param where the name of the chain, for errors. */
  constructor(where: string) {
    this.#where = where;
  }

  /**
   * Adds a module. A higher `order` runs first, equal ones run in the order they were added.
   *
   * @throws TypeError for something that is no module builder, for a second one of the same name, and after the start.
   */
  add(builder: HttpModuleBuilder): this {
    const { name, order = 0 } = checkBuilder(builder, this.#where);
    if (this.#closed) throw new TypeError(`${this.#where}: module ${name} comes too late, the proxy is made already`);
    if (this.#builders.some((present) => present.name === name))
      throw new TypeError(`${this.#where}: module ${name} is there already`);
    const at = this.#builders.findIndex((present) => (present.order ?? 0) < order);
    this.#builders.splice(at < 0 ? this.#builders.length : at, 0, builder);
    return this;
  }

  /** @internal The builders in their order; nothing can be added any more. */
  seal(): readonly HttpModuleBuilder[] {
    this.#closed = true;
    return this.#builders;
  }
}

/** The modules at work on one request. */
export class ModuleChain {
  readonly modules: readonly HttpModule[];

  private constructor(modules: readonly HttpModule[]) {
    this.modules = modules;
  }

  /** Undefined when no module has anything to do for this request. What a builder throws is thrown on. */
  static create(builders: readonly HttpModuleBuilder[], request: RequestHeader): ModuleChain | undefined {
    const modules: HttpModule[] = [];
    try {
      for (const builder of builders) {
        const module = builder.create(request);
        if (module !== undefined) modules.push(module);
      }
    } catch (error) {
      // Nobody else knows of them; the first error is the one to tell.
      new ModuleChain(modules).close(() => undefined);
      throw error;
    }
    return modules.length === 0 ? undefined : new ModuleChain(modules);
  }

  /** The module of a class; undefined when it is not at work on this request. */
  get<M extends HttpModule>(type: abstract new (...args: never[]) => M): M | undefined {
    return this.modules.find((module): module is M => module instanceof type);
  }

  /** @param report gets what a module throws: the others are closed all the same. */
  close(report: (error: unknown) => void): void {
    for (const module of this.modules) {
      try {
        module.close?.();
      } catch (error) {
        report(error);
      }
    }
  }
}

function checkBuilder(builder: HttpModuleBuilder, where: string): HttpModuleBuilder {
  if (typeof builder?.name !== 'string' || builder.name === '' || typeof builder.create !== 'function')
    throw new TypeError(`${where}: a module builder needs a name and a create() function`);
  if (builder.order !== undefined && !Number.isFinite(builder.order))
    throw new TypeError(`${where}: the order of module ${builder.name} is ${String(builder.order)}: expected a number`);
  return builder;
}
