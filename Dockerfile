# Everything on one machine, as `npm start` runs it. Without DB_HOST it has its own database in the volume.
#   docker build -t whatsapp-dashboard .
#   docker run -d -p 4000:4000 -e SESSION_SECRET=… -v data:/app/data --stop-timeout 60 whatsapp-dashboard
FROM node:24-slim
RUN apt-get update && apt-get install -y --no-install-recommends mariadb-server-core && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json ./
# The command line of SST is for deploys.
RUN npm ci --omit=dev --ignore-scripts && rm -rf node_modules/sst-*
COPY . .
RUN mkdir data && chown node:node data
ENV NODE_ENV=production API_HOST=0.0.0.0
USER node
VOLUME /app/data
EXPOSE 4000
HEALTHCHECK --start-period=120s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.DASHBOARD_PORT || 4000}/health`).then(({ ok }) => process.exit(ok ? 0 : 1))"]
CMD ["node", "bin/run.mjs", "start", "--data", "/app/data"]
