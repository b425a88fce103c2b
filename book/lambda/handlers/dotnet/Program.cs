// Validate an order of the shop. This runs once an environment, in INIT.
using Amazon.Lambda.Core;
using Amazon.Lambda.RuntimeSupport;
using Amazon.Lambda.Serialization.SystemTextJson;
using Shop;

Func<Order, ILambdaContext, Answer> handler = (order, context) =>
{
    var answer = Validation.Validate(order);
    ShopLog.Info("order validated", answer);
    return answer;
};

await LambdaBootstrapBuilder
    .Create(handler, new SourceGeneratorLambdaJsonSerializer<ShopJson>())
    .Build()
    .RunAsync();
