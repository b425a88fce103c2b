# Runtime ruby3.4, handler app.handler; a Gemfile's gems go to vendor.
bundle config set --local path vendor/bundle && bundle install
zip -qr -X function.zip app.rb shop_log.rb vendor
