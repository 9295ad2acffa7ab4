/**
 * The file that `cirque init` writes: what most people change first, with everything else a comment away.
 */

/** The text of the file. */
export const STARTER_FILE: string = `# yaml-language-server: $schema=cirque.schema.json
# (cirque schema > cirque.schema.json: editors then know every key.)
#
# cirque check looks for mistakes, cirque run serves. SIGHUP reads the file again: routes, upstreams and listeners
# change while everything that is under way goes on.
# \${NAME} and \${NAME:-default} stand for variables of the environment.

# Worker threads: a number, or auto for one for each processor.
# threads: auto
log_level: \${LOG_LEVEL:-info}
# true: one line for each request in the log; a path: into that file.
access_log: true
# Where cirque top and scripts ask.
# control: unix:/run/cirque-control.sock

listeners:
  # HTTP, on all addresses.
  - address: :8080
    routes:
      - match: /healthz
        respond: ok
      - match: { path: /api, methods: [GET, POST] }
        proxy: { upstream: app, rewrite: { strip_prefix: /api } }
        request_headers: { set: { X-Real-IP: "\${client_ip}" } }
        max_body: 10m
      # Everything else.
      - proxy: app
        compression: true

  # HTTPS, with a certificate for each host. Files are found from the folder of this one.
  # - address: :8443
  #   tls: { cert: fallback.pem, key: fallback.key, hosts: { a.example: { cert: a.pem, key: a.key } } }
  #   upstream: app

  # From HTTP to HTTPS.
  # - address: :80
  #   redirect: "https://\${host}\${path}\${query}"

  # TCP: databases, queues, TLS that is passed on unopened.
  # - address: :5432
  #   protocol: tcp
  #   upstream: db

  # UDP: one answer for each question.
  # - { address: ":53", protocol: udp, upstream: dns, responses: 1 }

upstreams:
  app:
    servers:
      - 127.0.0.1:9000
      - { address: "127.0.0.1:9001", weight: 2 }
      - { address: "127.0.0.1:9002", backup: true }
    # round_robin, random, least_connections, power_of_two, peak_ewma, source_ip, consistent, ...
    balance: least_connections
    # Asks each server for this path; or tcp, tls, grpc.
    health: { http: /healthz, interval: 5s, timeout: 2s }
    # Leaves servers out for a while that fail in use.
    passive_health: true
    # Clients stay with their server.
    # sticky: { cookie: session_route, ttl: 1h }

  # Servers of a name, looked up again when DNS says so.
  # db: { dns: "db.internal:5432", balance: least_connections, health: tcp }
  # dns: [10.0.0.2:53, 10.0.0.3:53]
`;
