# Debian's Redmine with an empty database of its own and its REST API switched on.
# It reads PORT, FOLDER and API_KEY (of the account "admin") from the environment and prints "ready".
require "fileutils"
require "securerandom"
require "webrick" # Redmine's own Gemfile, which comes next, hides it

folder = ENV.fetch("FOLDER")
%w[config files log public tmp].each { |name| FileUtils.mkdir_p("#{folder}/#{name}") }
File.write("#{folder}/config/secret_key.txt", SecureRandom.hex(64))
File.write("#{folder}/config/database.yml", <<~YAML)
  production:
    adapter: sqlite3
    database: #{folder}/redmine.sqlite3
YAML
# Debian looks for an instance's folder beneath Redmine's own; this leads from there to ours.
ENV["REDMINE_INSTANCE"] = "../" * 16 + folder
ENV["RAILS_ENV"] = "production"

require "/usr/share/redmine/config/environment"
require "rack/handler/webrick"

ActiveRecord::Base.connection.execute("PRAGMA synchronous = OFF") # nothing here outlives the test
ActiveRecord::Migration.verbose = false
ActiveRecord::MigrationContext.new(
  Rails.root.join("db", "migrate"), ActiveRecord::SchemaMigration
).migrate
ActiveRecord::Base.descendants.each(&:reset_column_information)
Setting.rest_api_enabled = "1"
admin = User.find_by_login("admin")
admin.update!(must_change_passwd: false)
Token.create!(user: admin, action: "api").update_column(:value, ENV.fetch("API_KEY"))

Rack::Handler::WEBrick.run(
  Rails.application, Host: "127.0.0.1", Port: ENV.fetch("PORT"), AccessLog: [],
  StartCallback: -> { $stdout.puts("ready"); $stdout.flush }
) { |server| trap("TERM") { server.shutdown } }
